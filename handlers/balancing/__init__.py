"""How nodes balance the connections to a Service: what they should send where, and what their maps say."""
