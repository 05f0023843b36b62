"""Engine without HTTP: model life cycle, admission, scheduling, batching and reader processes.

Import from the modules. This package imports none of them, because a reader process imports
`worker` alone and must stay small.
"""
