#!/usr/bin/env bash
# Everything the project needs, installed once: Debian packages, and Python packages into .venv.
# Safe to run again at any time: what is there already is left alone. `make setup` calls it.
# `./setup.sh --tests` adds what only tests and `make pictures` need: a browser (some 350 MB) and axe-core.
# `./setup.sh --packages` only lists the Debian packages, each with a command of it that we start, if any; one that
# only tests need has "tests" behind that.
set -euo pipefail
cd "$(dirname "$0")"

# The newest Python that TensorFlow has wheels for; a name on PATH may be a shim that starts nothing.
python=
for name in python3.13 python3.12 python3.11; do
  if "$name" -c '' 2>/dev/null; then python=$name; break; fi
done
if [ -z "$python" ]; then
  echo "setup: no Python 3.13, 3.12 or 3.11 found (python3 is $(python3 --version 2>&1)); install one, then run again" >&2
  exit 1
fi

packages=("$python-venv" g++ cmake ninja-build gcc-arm-none-eabi libnewlib-arm-none-eabi
          libstdc++-arm-none-eabi-newlib qemu-system-arm gcc-riscv64-unknown-elf
          picolibc-riscv64-unknown-elf qemu-system-misc openocd dfu-util clang-format clang-tidy clang lld libclang-rt-dev)
# clang's sanitizers and libFuzzer, which Ubuntu 22.04 has in a package that clang brings itself.
if command -v apt-cache >/dev/null && apt-cache show clang >/dev/null 2>&1 &&
   ! apt-cache show libclang-rt-dev >/dev/null 2>&1; then
  unset 'packages[-1]'
fi
# A command of each package that we start, for systems that have them from elsewhere.
declare -A command_of=([g++]=g++ [cmake]=cmake [ninja-build]=ninja [qemu-system-arm]=qemu-system-arm
                       [qemu-system-misc]=qemu-system-riscv32 [openocd]=openocd [dfu-util]=dfu-util
                       [clang-format]=clang-format [clang-tidy]=clang-tidy [clang]=clang++ [lld]=wasm-ld)
if [ "${1:-}" = --packages ]; then
  command_of[$python-venv]=$python
  for package in "${packages[@]}"; do echo "$package ${command_of[$package]:-}"; done
  echo "chromium chromium tests"
  exit
fi

as_root() {  # runs a command as root; fails where there is no way to
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else return 1; fi
}
add() {  # Debian packages
  line="apt-get install -y --no-install-recommends $*"
  if ! as_root true; then
    echo "setup: as root, type: apt-get update && $line" >&2
    exit 1
  fi
  echo "setup: installing $*"
  as_root apt-get update -qq
  # shellcheck disable=SC2086  # the line is a list of words
  as_root env DEBIAN_FRONTEND=noninteractive $line
}

if [ "${1:-}" = --tests ]; then
  if [ ! -e .venv/.ready ]; then ./setup.sh; fi
  # What the tests start it by says whether there is one. Ubuntu has it as a snap alone, which starts in no container
  # and sees no folder of ours.
  browser() { .venv/bin/python tools/browser/chromium.py >/dev/null; }
  if ! browser && command -v apt-cache >/dev/null; then
    # A machine that has never asked its archive knows nothing.
    if ! apt-cache show chromium >/dev/null 2>&1; then as_root apt-get update -qq || true; fi
    if told=$(apt-cache show chromium 2>/dev/null) && ! grep -qE '^(Version|Pre-Depends|Depends):.*snap' <<<"$told"; then
      add chromium
    fi
  fi
  if ! browser; then
    echo "setup: no Chromium starts here (a snap does not count), and no package of it is known: tests in a browser will be skipped; install Google's, or another that is called chromium"
  fi
  echo "setup: axe-core, which finds what is hard to read in pages, with the npm of .venv"
  .venv/bin/npm ci --loglevel=error --prefix tests/browser
  touch .venv/.ready-tests
  echo "setup: done"
  exit
fi

missing=()
for package in "${packages[@]}"; do
  command=${command_of[$package]:-}
  if [ -n "$command" ] && command -v "$command" >/dev/null; then continue; fi
  if [ "$package" = "$python-venv" ] && "$python" -c 'import ensurepip' 2>/dev/null; then continue; fi
  if dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then continue; fi
  missing+=("$package")
done

if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null; then
    echo "setup: not a Debian or Ubuntu; install what these packages hold, then run again: ${missing[*]}" >&2
    exit 1
  fi
  add "${missing[@]}"
fi

if [ ! -x .venv/bin/python ]; then
  "$python" -m venv .venv
fi
echo "setup: Python packages into .venv (about 2.4 GB the first time)"
# Only files with the SHA-256 that the lock has, and only wheels: to build a package, pip would fetch tools without
# looking at hashes. The project itself is built with the setuptools of the lock.
pip=(.venv/bin/python -m pip --disable-pip-version-check)
hashed=(--quiet --require-hashes --only-binary :all: --requirement)
"${pip[@]}" install "${hashed[@]}" locks/full.txt
"${pip[@]}" install --quiet --no-deps --no-build-isolation --editable .
echo "setup: the Raspberry Pi Pico's emulator, with the npm of .venv"
.venv/bin/npm ci --loglevel=error --prefix firmware_cpp/boards/rp2040/emulator
# TFLM's headers and, as a shared library, its interpreter, for the tests of ENGINE=tflm (Linux on x86-64 only).
# Kept as a file: installed, it would want a numpy that TensorFlow does not.
tflm_wheel=$(grep -o '^xmos-ai-tools==[^ ]*' locks/tflm.txt)
if [ "$(uname -sm)" = "Linux x86_64" ] && ! ls .venv/wheels/xmos_ai_tools-"${tflm_wheel#*==}"-*.whl >/dev/null 2>&1; then
  "${pip[@]}" download --no-deps --dest .venv/wheels "${hashed[@]}" locks/tflm.txt
fi
# Monocypher's C file, for signatures of models: in the source package of pymonocypher, which is kept as a file. Its
# own setup.py runs then, to tell its name, with the setuptools of the lock.
monocypher=$(grep -o '^pymonocypher==[^ ]*' locks/monocypher.txt)
if ! ls ".venv/sources/pymonocypher-${monocypher#*==}.tar.gz" >/dev/null 2>&1; then
  "${pip[@]}" download --no-deps --no-build-isolation --dest .venv/sources \
    --quiet --require-hashes --no-binary :all: --requirement locks/monocypher.txt
fi
touch .venv/.ready
echo "setup: done"
