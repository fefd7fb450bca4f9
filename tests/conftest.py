"""How far Hypothesis goes: `HYPOTHESIS_PROFILE=full python -m pytest tests/index` goes further.

`mutants` is for mutation testing, where a failure is an answer and need not be made small.
"""

import os

from hypothesis import Phase, settings

settings.register_profile("default", max_examples=50, derandomize=True, deadline=None)
settings.register_profile("full", max_examples=2000, deadline=None, print_blob=True)
settings.register_profile(
    "mutants", derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
