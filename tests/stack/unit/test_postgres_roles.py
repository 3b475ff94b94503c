from stack.parts.postgres_roles import with_credentials, with_database


def test_another_role_on_the_same_server_keeps_its_options() -> None:
    admin = "postgresql://boss:old@db.example:5432/postgres?sslmode=require"
    assert (
        with_credentials(admin, "auction", "p@ss/word", database="auction")
        == "postgresql://auction:p%40ss%2Fword@db.example:5432/auction?sslmode=require"
    )


def test_another_database_keeps_the_role() -> None:
    url = with_database("postgresql://boss:pw@127.0.0.1:5432", "postgres")
    assert url == "postgresql://boss:pw@127.0.0.1:5432/postgres"
