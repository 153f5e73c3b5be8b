"""What only an installation of several machines needs: Ray, Procrastinate, files that machines share, PostgreSQL moves.

The rest of the program names parts of it in `colpo_core.cluster_parts`, which loads them when the settings ask for
them. Whoever maintains a clinic's own program on one machine need not read this folder.
"""
