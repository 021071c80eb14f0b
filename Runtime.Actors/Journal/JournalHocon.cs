namespace Runtime.Actors.Journal;

/// <summary>Selects the journal and snapshot store of this folder, as any Akka.Persistence plugin is selected.</summary>
public static class JournalHocon
{
    /// <remarks>
    /// The replay filter guards against two writers of one id; here the file's lock and the unique sequence number do, so
    /// that it would only cost an actor per recovery.
    /// </remarks>
    public const string Text =
        """
        akka.persistence {
          max-concurrent-recoveries = 200
          journal {
            plugin = "akka.persistence.journal.actord"
            actord {
              class = "Runtime.Actors.Journal.SqliteJournal, Runtime.Actors"
              plugin-dispatcher = "akka.actor.default-dispatcher"
              replay-dispatcher = "akka.actor.default-dispatcher"
              replay-filter.mode = off
            }
          }
          snapshot-store {
            plugin = "akka.persistence.snapshot-store.actord"
            actord {
              class = "Runtime.Actors.Journal.SqliteSnapshotStore, Runtime.Actors"
              plugin-dispatcher = "akka.actor.default-dispatcher"
            }
          }
        }
        """;
}
