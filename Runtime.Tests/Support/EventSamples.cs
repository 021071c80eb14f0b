using System.Collections;
using System.Collections.Immutable;
using System.Reflection;

namespace Runtime.Tests.Support;

/// <summary>
/// Makes an instance of any event with every member set to something that is not its default, the same each time: a member
/// that is added, renamed or retyped shows in what the journal writes.
/// </summary>
public static class EventSamples
{
    private static readonly DateTimeOffset Time = new(2026, 3, 4, 12, 0, 0, 123, TimeSpan.Zero);

    /// <param name="name">The member that it is for; strings take it as their value.</param>
    public static object Of(Type type, string name)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner) return Of(inner, name);
        if (type == typeof(string)) return name.ToLowerInvariant();
        if (type == typeof(bool)) return true;
        if (type == typeof(DateTimeOffset)) return Time;
        if (type == typeof(TimeSpan)) return TimeSpan.FromSeconds(7.5);
        if (type == typeof(byte[])) return "bytes"u8.ToArray();
        if (type.IsEnum) return Enum.GetValues(type).Cast<object>().Last();
        if (type.IsPrimitive) return Convert.ChangeType(7, type, null);
        if (type.IsGenericType && Collection(type, name) is { } collection) return collection;
        return Record(type);
    }

    private static object? Collection(Type type, string name)
    {
        var arguments = type.GetGenericArguments();
        var definition = type.GetGenericTypeDefinition();
        if (definition == typeof(ImmutableArray<>)) return Create(nameof(ArrayOf), arguments, name);
        if (definition == typeof(ImmutableDictionary<,>)) return Create(nameof(DictionaryOf), arguments, name);
        if (definition == typeof(ImmutableSortedDictionary<,>)) return Create(nameof(SortedOf), arguments, name);
        return typeof(IEnumerable).IsAssignableFrom(type)
            ? throw new NotSupportedException($"{type} is not known here: say how a sample of it is made.")
            : null;
    }

    private static object Create(string maker, Type[] arguments, string name) =>
        typeof(EventSamples).GetMethod(maker, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(arguments).Invoke(null, [name])!;

    private static ImmutableArray<T> ArrayOf<T>(string name) => [(T)Of(typeof(T), name)];

    private static ImmutableDictionary<TKey, TValue> DictionaryOf<TKey, TValue>(string name)
        where TKey : notnull => ImmutableDictionary<TKey, TValue>.Empty.Add((TKey)Of(typeof(TKey), name), (TValue)Of(typeof(TValue), "value"));

    private static ImmutableSortedDictionary<TKey, TValue> SortedOf<TKey, TValue>(string name)
        where TKey : notnull => DictionaryOf<TKey, TValue>(name).ToImmutableSortedDictionary();

    private static object Record(Type type)
    {
        var constructor = type.GetConstructors().Where(one => one.GetParameters() is not [{ } only] || only.ParameterType != type)
            .MaxBy(one => one.GetParameters().Length) ?? throw new NotSupportedException($"{type} has no constructor.");
        var made = constructor.Invoke([.. constructor.GetParameters().Select(parameter => Of(parameter.ParameterType, parameter.Name!))]);
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.SetMethod is not null && property.GetIndexParameters().Length == 0)
                property.SetValue(made, Of(property.PropertyType, property.Name));
        }
        return made;
    }
}
