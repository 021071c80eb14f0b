using System.Data.Common;
using System.Runtime.CompilerServices;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence.Sql;
using Akka.Persistence.Sql.Config;
using LinqToDB;
using Microsoft.Data.Sqlite;
using Runtime.Actors.Journal;

namespace Runtime.Bench.Journal;

/// <summary>Akka.Persistence.Sql (linq2db) on the same provider in WAL mode, otherwise with its own defaults.</summary>
internal sealed class SqlTarget(JournalSynchronous synchronous) : IJournalTarget
{
    // The level is each connection's own. Pooled connections keep it, so it is set once for each.
    private readonly ConditionalWeakTable<object, object> _prepared = [];

    public string Name => "Akka.Persistence.Sql";

    public JournalSystem Start(string path)
    {
        var connectionString = $"Data Source={path};Pooling=True";
        using (var connection = new SqliteConnection(connectionString))
        {
            connection.Open();
            Execute(connection, "PRAGMA journal_mode = WAL");
        }
        var hocon = ConfigurationFactory.ParseString(
            """
            akka {
              loglevel = ERROR
              stdout-loglevel = ERROR
              persistence {
                journal {
                  plugin = "akka.persistence.journal.sql"
                  sql {
                    provider-name = "SQLite.MS"
                    connection-string = "set by the setup"
                    auto-initialize = true
                  }
                }
                snapshot-store.plugin = "akka.persistence.no-snapshot-store"
              }
            }
            """).WithFallback(SqlPersistence.DefaultConfiguration);
        var options = new DataOptions()
            .UseConnectionString(ProviderName.SQLiteMS, connectionString)
            .UseAfterConnectionOpened(Prepare, (connection, _) =>
            {
                Prepare(connection);
                return Task.CompletedTask;
            });
        var system = ActorSystem.Create(
            "bench", BootstrapSetup.Create().WithConfig(hocon).And(new DataOptionsSetup(options)));
        return new JournalSystem(system, new Pool(connectionString));
    }

    private void Prepare(DbConnection connection)
    {
        var sqlite = (SqliteConnection)connection;
        if (!_prepared.TryAdd(sqlite.Handle!, sqlite.Handle!)) return;
        Execute(sqlite, synchronous == JournalSynchronous.Full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private sealed class Pool(string connectionString) : IDisposable
    {
        public void Dispose()
        {
            using var connection = new SqliteConnection(connectionString);
            SqliteConnection.ClearPool(connection);
        }
    }
}
