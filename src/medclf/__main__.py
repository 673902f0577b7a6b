"""The command line as a module: `python -m medclf`."""

from medclf.cli.main import main

if __name__ == "__main__":
    main()
