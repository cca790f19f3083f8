"""Who may see what of an answer: whose its words are, and what is taken out for somebody."""
