"""A local-model migration assistant: from Llama to Qwen or DeepSeek, on your own machine."""

__version__ = "0.1.0"
