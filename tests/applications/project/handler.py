from echo import echo

application = echo(__file__)
