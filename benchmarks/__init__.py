"""Speed and memory next to NumPy's, PyTorch's, torch.compile's and JAX's, measured in turns in one run.

`python -m benchmarks`             every family; tables, and results/<machine>.json
`python -m benchmarks --only conv` one family; `--only conv:512x4x4` some of its cases, `--list` names them all
`python -m benchmarks --check`     fails where a ratio fell below its floor, that `--record` has noted
`python -m benchmarks.accuracy`    the largest error of each function over every float32
`python -m benchmarks.compiling`   how long each kernel takes to compile
`python -m benchmarks.pages`       what keeping freed memory brings
`python -m benchmarks.waiting`     what OpenMP's spinning costs on a busy machine
`python -m benchmarks.page`        the recorded figures as docs/benchmarks.md

A file a family says what its cases are, `peers.py` how each side gets its threads, `timing.py` how they take turns.
"""
