"""`python -m desireline.faces.cli`, the same as the command `desireline`."""

from desireline.faces.cli import main

if __name__ == "__main__":
    main()
