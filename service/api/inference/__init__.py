"""Inference requests of the Open Inference Protocol V2: their tensors in, and those of the answer.

https://github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md. The
binary tensor extension is that of Triton (server/docs/protocol/extension_binary_data.md).
"""
