"""Does a running system's monitoring say what it is declared to say?"""
