"""Files to passages: parsing in a confined process, and chunking."""
