"""Personal data in pictures: faces, writing, documents."""
