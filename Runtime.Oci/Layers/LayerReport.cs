namespace Runtime.Oci.Layers;

/// <param name="Bytes">Written into files; holes of sparse files are not counted.</param>
/// <param name="Entries">Of the archive, whiteouts included.</param>
/// <param name="Inodes">That were made: a hard link is none.</param>
/// <param name="SkippedXattrs">Extended attributes that this file system, or that kind of file, cannot have.</param>
/// <param name="MadeParents">Directories that the layer leaves out: unpacked apart from its parents, it should be unpacked again
/// with them (<see cref="LayerOptions.Lowers"/>).</param>
public sealed record LayerReport(long Bytes, long Entries, long Inodes, long SkippedXattrs, long MadeParents);
