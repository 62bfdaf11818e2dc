"""Wikipedia in: readers of dumps, wikitext to clean text and facts, redirects to aliases."""
