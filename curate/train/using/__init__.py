"""How a trained model is used: it answers, it finds, it is measured. All from a checkpoint's folder."""
