"""The matrix of cells and deployed models."""

from pathlib import Path

from report_cases import metric, result

from kithe.report.site import site
from kithe.report.study import study
from kithe.report.transfer import transfer


def test_a_matrix_of_cells_and_deployed_models_stands_below_the_results(tmp_path: Path) -> None:
    gains = {"delta.personalisation": 4.0, "delta.personalisation@amber": 3.0, "delta.personalisation@delta": 1.0}
    found = {"ppopt/personalisation": metric(8.0, 7.0, 9.0), "ppopt/win_rate@amber": metric(0.7, 0.6, 0.8)}
    found |= {f"ppopt/{name}": metric(value, value - 0.5, value + 0.5) for name, value in gains.items()}
    made = study(tmp_path, "ppopt", [result("a", cell={"adapt": "grpo"}, metrics=found)])
    table = transfer(made.test_sets[0])
    assert table is not None
    assert table.header == ("cell", "deployed", "amber", "delta")
    assert [cell.split()[0] for cell in table.body[0][1:]] == ["4.000", "3.000", "1.000"]
    assert "ppopt: other deployed models" in site(made)


def test_without_other_models_there_is_none(tmp_path: Path) -> None:
    made = study(tmp_path, "pki", [result("a")])
    assert transfer(made.test_sets[0]) is None
    assert "other deployed models" not in site(made)
