#!/bin/sh
# Make the environment of the rivals, beside the project's own: benchmarks/rivals.sh [FOLDER]
#
# The project's locked dependencies come first, so that rivals and ours share one numpy and one
# numba; a rival that cannot live with those fails here rather than in a measurement.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-build/rivals}
"${PYTHON:-python3}" -m venv "$folder"
"$folder/bin/python" -m pip install -q --require-hashes -r requirements.txt
"$folder/bin/python" -m pip install -q -r benchmarks/rivals.txt
"$folder/bin/python" -m pip check
