//! Zig's slices, optionals, error unions, tagged unions and enums, with contents that a test knows.
const std = @import("std");
pub const panic = std.debug.no_panic;

const Mistake = error{ NotFound, TooLarge };
const Colour = enum(u8) { red, green = 5 };
const Point = struct { x: i32, y: u7 };
const Shape = union(enum) { circle: f32, square: Point };

fn find(what: i32) Mistake!i32 {
    if (what == 0) return Mistake.NotFound;
    return what * 2;
}

var storage = [_]i32{ 10, 20, 30, 40 };

export fn run(n: i32) i32 {
    var text: []const u8 = "hello";
    var numbers: []i32 = storage[1..3];
    var some: ?i32 = 5;
    var none: ?i32 = null;
    var found = find(n);
    var missing = find(0);
    var colour = Colour.green;
    var point = Point{ .x = -1, .y = 100 };
    var shape = Shape{ .square = .{ .x = 3, .y = 4 } };
    var pointer: *Point = &point;
    var maybe: ?*Point = null;
    var fixed = [3]u8{ 1, 2, 3 };
    _ = .{ &text, &numbers, &some, &none, &found, &missing, &colour, &shape, &pointer, &maybe, &fixed };
    const sum = numbers[0] + (some orelse 0) + (none orelse 0) + pointer.x;
    return sum + n;
}
