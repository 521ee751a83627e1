"""The parts that architectures are put together from: vision towers, the Q-Former, language models."""
