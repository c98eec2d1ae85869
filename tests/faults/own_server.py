"""Tests that stop or copy a server have one of their own."""

import secrets

from counting import count
from faults import PostgresFaults
from servers import DatabaseOfServer, Replica, Server


class OwnServerFaults(PostgresFaults):
    """One server for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = Server()
        cls.addClassCleanup(cls.server.remove)

    def new_database(self):
        database = DatabaseOfServer(self.server, f"work_{secrets.token_hex(6)}")
        self.addCleanup(database.drop)
        return database


class PairFaults(PostgresFaults):
    """A primary for each test, which may get a replica."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)
        super().setUp()

    new_database = OwnServerFaults.new_database

    def replicate(self):
        replica = Replica(self.server)
        self.addCleanup(replica.remove)
        return replica

    def fail_over_to(self, replica):
        """From here on the test's database is the replica's."""
        self.database.close()
        self.server.stop("immediate")
        replica.promote()
        count("failover to a replica that lags")
        self.database = DatabaseOfServer(replica, self.database.name, create=False)
        self.addCleanup(self.database.drop)
