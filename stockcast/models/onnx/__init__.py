"""Networks as ONNX files: written, verified and run."""
