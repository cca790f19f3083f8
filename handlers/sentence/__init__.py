"""Sentences: from what people write about their traffic to the questions that it can be."""
