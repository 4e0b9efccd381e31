"""The program's first lines, for `convatlas`, `python -m convatlas` and torchrun: whatever is
slow is imported when a signal already has its answer.
"""

from convatlas import interruption


def main() -> None:
    """Run the command that was typed and leave with its exit code."""
    interruption.listen()
    try:
        from convatlas.cli import main as run_typed

        run_typed()
    except (KeyboardInterrupt, ImportError):  # in the middle of an import it may pass for one
        if not interruption.was_asked():
            raise
        interruption.leave()
    finally:
        interruption.be_deaf()


if __name__ == "__main__":
    main()
