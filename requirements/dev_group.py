"""Print the dependency group `dev` of pyproject.toml, which pip-compile cannot read from there itself."""

import tomllib
from pathlib import Path

with Path("pyproject.toml").open("rb") as file:
    print(*tomllib.load(file)["dependency-groups"]["dev"], sep="\n")  # noqa: T201  printing is its purpose
