"""What a person reads afterwards: one JSON file an item, one HTML page a run.

Made from plans, findings and output pixels only. No names, no paths, no input pixels.
"""
