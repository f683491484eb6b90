"""squeeze.h: its version is the project's, in C and in C++."""

import pytest

from squeezenet_mcu.common.version import version
from squeezenet_mcu.convert.packaging import sources
from tests.embedding.builds import call
from tests.embedding.test_cmake import STRICT


@pytest.mark.parametrize("compiler", [["gcc", "-std=c11"], ["g++", "-xc++", "-std=c++11"]])
def test_version_is_the_projects(tmp_path, compiler):
    source = tmp_path / "version.c"
    source.write_text("""
#include <stdio.h>
#include "engine/squeeze.h"
int main(void) {
  printf("%d.%d.%d %s", SQUEEZE_VERSION_MAJOR, SQUEEZE_VERSION_MINOR, SQUEEZE_VERSION_PATCH,
         SQUEEZE_VERSION_STRING);
  return 0;
}
""")
    call([*compiler, *STRICT.split(), f"-I{sources.ENGINE.parent}", source, "-o", tmp_path / "version"])
    assert call([tmp_path / "version"]).stdout == f"{version()} {version()}"
