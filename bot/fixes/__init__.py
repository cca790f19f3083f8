"""Watches over connections that somebody mends: asked again for a while, until the fix worked or time is up."""
