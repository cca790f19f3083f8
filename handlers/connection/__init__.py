"""The path of a connection: its ends, the legs between concrete endpoints, and what flows showed of them."""
