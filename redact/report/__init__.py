"""What a person reads afterwards: one HTML page a folder, and the same as JSON, an item and all together.

Made from plans, findings and output pixels only. No names, no paths, no input pixels.
"""
