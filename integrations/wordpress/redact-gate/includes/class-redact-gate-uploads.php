<?php
/**
 * The first gate: every upload, before WordPress takes it in. Forms, the block editor and the REST interface come
 * through the prefilters, XML-RPC through `wp_upload_bits`. What comes another way is met when it is published.
 *
 * @package redact-gate
 */

/** Judges uploads. */
final class Redact_Gate_Uploads {

	/** Hook in, after every other plugin that may still change the file. */
	public static function register(): void {
		add_filter( 'wp_handle_upload_prefilter', array( __CLASS__, 'file' ), PHP_INT_MAX );
		add_filter( 'wp_handle_sideload_prefilter', array( __CLASS__, 'file' ), PHP_INT_MAX );
		add_filter( 'wp_upload_bits', array( __CLASS__, 'bits' ), PHP_INT_MAX );
		add_action( 'add_attachment', array( __CLASS__, 'attached' ) );
	}

	/** An upload as PHP describes it; with a sentence in `error` it is refused. */
	public static function file( $file ) {
		if ( ! is_array( $file ) || ! empty( $file['error'] ) ) {
			return $file;
		}
		try {
			$path = isset( $file['tmp_name'] ) ? (string) $file['tmp_name'] : '';
			$name = isset( $file['name'] ) ? (string) $file['name'] : '';
			$type = isset( $file['type'] ) ? (string) $file['type'] : '';
			if ( ! self::is_media( $path, $name, $type ) ) {
				self::other();
			} elseif ( Redact_Gate_Settings::submits() ) {
				$result       = ( new Redact_Gate_Client() )->replace( $path );
				$file['type'] = $result['type'];
				$file['name'] = self::renamed( $name, $result['suffix'] );
				$file['size'] = (int) filesize( $path );
				Redact_Gate_Passes::remember( $result['digest'] );
			} else {
				Redact_Gate_Passes::remember( ( new Redact_Gate_Client() )->check( $path ) );
			}
		} catch ( Redact_Gate_Refusal $refusal ) {
			$file['error'] = $refusal->getMessage();
		} catch ( Throwable $fault ) {
			$file['error'] = __( 'The redact gate met a fault of its own; tell your administrator.', 'redact-gate' );
		}
		return $file;
	}

	/** An upload that came as bytes, and cannot be replaced here: it is judged. A sentence refuses it. */
	public static function bits( $upload ) {
		if ( ! is_array( $upload ) ) {
			return $upload;
		}
		$path = '';
		try {
			$path = tempnam( get_temp_dir(), 'redact' );
			$bits = isset( $upload['bits'] ) ? (string) $upload['bits'] : '';
			if ( false === $path || strlen( $bits ) !== file_put_contents( $path, $bits ) ) {
				throw new Redact_Gate_Refusal( __( 'The file cannot be stored for its check; is the disk full?', 'redact-gate' ) );
			}
			if ( self::is_media( $path, isset( $upload['name'] ) ? (string) $upload['name'] : '', '' ) ) {
				Redact_Gate_Passes::remember( ( new Redact_Gate_Client() )->check( $path ) );
			} else {
				self::other();
			}
			return $upload;
		} catch ( Redact_Gate_Refusal $refusal ) {
			return $refusal->getMessage();
		} catch ( Throwable $fault ) {
			return __( 'The redact gate met a fault of its own; tell your administrator.', 'redact-gate' );
		} finally {
			if ( is_string( $path ) && is_file( $path ) ) {
				unlink( $path );
			}
		}
	}

	/** A file became an attachment: write its pass down, if these very bytes have one. */
	public static function attached( $attachment ): void {
		$path   = get_attached_file( (int) $attachment );
		$digest = is_string( $path ) && is_file( $path ) ? hash_file( 'sha256', $path ) : false;
		if ( is_string( $digest ) && Redact_Gate_Passes::is_fresh( $digest ) ) {
			Redact_Gate_Passes::record( (int) $attachment, $digest );
		}
	}

	/** Whether a file is a photo or film by its name, its sender or its bytes, or bytes that nobody knows. */
	public static function is_media( string $path, string $name, string $type ): bool {
		$named = wp_check_filetype( $name, wp_get_mime_types() );
		$seen  = function_exists( 'mime_content_type' ) && is_readable( $path ) ? mime_content_type( $path ) : 'application/octet-stream';
		foreach ( array( isset( $named['type'] ) ? $named['type'] : '', $type, $seen ) as $one ) {
			if ( preg_match( '#\A(image/|video/|application/octet-stream\z)#i', (string) $one ) ) {
				return true;
			}
		}
		return false;
	}

	private static function other(): void {
		if ( Redact_Gate_Settings::refuses_others() ) {
			throw new Redact_Gate_Refusal( __( 'Refused: this site takes only photos and films, because redact can judge nothing else.', 'redact-gate' ) );
		}
	}

	/** The name with the ending of the result's format. */
	private static function renamed( string $name, string $suffix ): string {
		$ending = strtolower( pathinfo( $name, PATHINFO_EXTENSION ) );
		$same   = array( 'jpeg' => 'jpg', 'jpe' => 'jpg', 'tiff' => 'tif', 'm4v' => 'mp4' ); // phpcs:ignore
		if ( ( isset( $same[ $ending ] ) ? $same[ $ending ] : $ending ) === $suffix ) {
			return $name;
		}
		return pathinfo( $name, PATHINFO_FILENAME ) . '.' . $suffix;
	}
}
