"""Datasets: snapshot manifests, patient-wise splits, the leakage guard, tensors and augmentation."""
