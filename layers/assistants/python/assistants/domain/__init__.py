"""The API's nouns and rules. Imports nothing else of ours."""
