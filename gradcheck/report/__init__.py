"""From a report to what people and programs read: text, pages, pictures, JSON."""
