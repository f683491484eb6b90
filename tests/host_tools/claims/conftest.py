"""The family is counted once: Keras takes seconds."""

import pytest

from squeezenet_mcu.host_tools.claims import family


@pytest.fixture(scope="session")
def members() -> list[family.Member]:
    """As `make claims` counts them."""
    return family.members()
