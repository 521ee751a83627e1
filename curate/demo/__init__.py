"""A whole run on real pictures, from a web server that misbehaves on purpose to a model that answers.

`python -m curate.demo` fetches about 1,100 captioned pictures once, plants rows with every fault that a list of URLs
has in practice, serves them on this machine, runs `pipelines/demo.yaml`, and checks that each fault met its reason.
"""
