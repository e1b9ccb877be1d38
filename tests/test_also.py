from kithe.launch.also import extended

JOBS = [["model=tiny", "seed=0", "+x=1", "adapt=lora"], ["model=tiny", "seed=0", "+x=1", "adapt=sft"]]


def test_a_further_cell_shares_what_all_share_and_says_the_rest_itself() -> None:
    assert extended(JOBS, ["adapt=zero-shot model=endpoint 'model.client.client.model=a b'"]) == [
        *JOBS,
        ["seed=0", "+x=1", "adapt=zero-shot", "model=endpoint", "model.client.client.model=a b"],
    ]


def test_without_further_cells_nothing_changes() -> None:
    assert extended(JOBS, []) == JOBS
    assert extended([], ["adapt=lora"]) == [["adapt=lora"]]
