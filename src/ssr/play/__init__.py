"""`ssr play`: the game in a repository of one's own, by one command."""
