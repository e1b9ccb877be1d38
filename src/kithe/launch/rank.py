"""How a worker begins: tied to its parent, before it spends seconds on importing. `python -m kithe.launch.rank <run folder>`."""

from kithe.launch.processes import end_with_parent


def main() -> None:
    """End with the parent from now on, then become the worker.

    torchrun starts its processes without a word from us; one whose parent was killed while it imported would live on and write.
    """
    end_with_parent()
    from kithe.worker import main as work

    work()


if __name__ == "__main__":
    main()
