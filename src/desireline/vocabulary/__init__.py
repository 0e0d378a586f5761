"""The words everybody uses: frozen values with small pure behaviour, standard library only."""
