"""Pictures as SVG text, and the page that shows them with the tables."""
