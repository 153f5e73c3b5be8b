// The ruler and the areas: what is measured, and in percent of what. Nothing of it is saved.
