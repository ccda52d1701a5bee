<?php
/**
 * Which files passed. A pass is kept with the attachment as the digest of its file, signed with the site's own
 * key, so that neither an import nor a changed file brings a pass along.
 *
 * @package redact-gate
 */

/** Records and looks up passes. */
final class Redact_Gate_Passes {

	const META = '_redact_gate_pass';

	/** Digests that passed in this request, before there was an attachment.
	 *
	 * @var array<string,bool> */
	private static $fresh = array();

	/** A file of this digest passed. */
	public static function remember( string $digest ): void {
		self::$fresh[ $digest ] = true;
	}

	/** Whether a file of this digest passed in this request. */
	public static function is_fresh( string $digest ): bool {
		return isset( self::$fresh[ $digest ] );
	}

	/** Write the pass of an attachment's file down. */
	public static function record( int $attachment, string $digest ): void {
		$time = (string) time();
		update_post_meta( $attachment, self::META, $digest . ' ' . $time . ' ' . self::seal( $attachment, $digest, $time ) );
	}

	/** Whether the attachment has a pass for a file of this digest. */
	public static function has( int $attachment, string $digest ): bool {
		$parts = explode( ' ', (string) get_post_meta( $attachment, self::META, true ) );
		return 3 === count( $parts ) && hash_equals( $digest, $parts[0] )
			&& hash_equals( self::seal( $attachment, $parts[0], $parts[1] ), $parts[2] );
	}

	private static function seal( int $attachment, string $digest, string $time ): string {
		return hash_hmac( 'sha256', "redact-gate $attachment $digest $time", wp_salt( 'auth' ) );
	}
}
