"""Publication: training sets in the layout of the Hugging Face hub, with card and Croissant metadata."""
