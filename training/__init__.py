"""Training of the recognition models that ship with the product: text, speech, features, models, evaluation."""
