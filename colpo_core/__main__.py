"""`python -m colpo_core`: the program without a screen."""

from colpo_core.cli.main import main

if __name__ == "__main__":
    main()
