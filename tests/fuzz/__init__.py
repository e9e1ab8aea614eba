"""Fuzzing: messages drawn from the contract, messages with one defect, broken bytes, and what must hold for all.

`python -m tests.fuzz` runs it; CONTRIBUTING.md says how. The files, from the ground up:

- `messages`: a message as a tree, and how it is written as XML and as JSON
- `strategies`: trees that follow the contract, drawn by Hypothesis from `xsd/`
- `defects`: the same trees with one thing wrong, and the error that must be told
- `promises`: what holds for each of these messages in the codecs
- `house`: the whole application, in a process of its own
- `target`: what may be asked of it, and what holds for every answer
- `damage`: bytes and headers that nobody should send
- `guided`: a run that looks for new paths through the readers (atheris)
- `openapi`: requests made from the served OpenAPI document (schemathesis)
- `test_*`: a few seconds of all this among the ordinary tests
"""
