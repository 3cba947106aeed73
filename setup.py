"""Maps the top-level folders to the package `dlc`; the rest of the project's metadata is in pyproject.toml."""

from setuptools import find_packages, setup

ROOTS = {"dlc": "compiler", "dlc.spec": "spec", "dlc.backends": "backends"}

packages = [
    name
    for package, folder in ROOTS.items()
    for name in [package, *(f"{package}.{sub}" for sub in find_packages(folder))]
]

setup(
    packages=packages,
    package_dir=dict(ROOTS),
    package_data={"dlc": ["py.typed"], "dlc.explain": ["*.md"], "dlc.spec": ["*.lark", "*.json", "std/*.dl"]},
)
