"""Cases that the program draws: cervices, lesions, light and noise, each marked as SIMULATED wherever it is shown."""
