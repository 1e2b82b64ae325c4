"""The client: one for every transport, over any number of links."""
